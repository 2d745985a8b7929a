import django.contrib.postgres.fields
import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('outages', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='CustomerPreference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_code', models.CharField(max_length=200, unique=True)),
                ('opted_out', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('sms', 'SMS'), ('email', 'E-mail'), ('push', 'Push message'), ('phone', 'Phone call')], max_length=5), blank=True, default=list, size=None)),
                ('quiet_nights', models.BooleanField(default=True)),
                ('updated_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('opted_out__contained_by', ['sms', 'email', 'push', 'phone'])), name='preference_channels_known')],
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('channel', models.CharField(choices=[('sms', 'SMS'), ('email', 'E-mail'), ('push', 'Push message'), ('phone', 'Phone call')], max_length=5)),
                ('message', models.TextField()),
                ('estimated_restoration_at', models.DateTimeField(blank=True, null=True)),
                ('is_safety', models.BooleanField(default=False)),
                ('unknown', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), blank=True, default=list, size=None)),
                ('requested_by', models.CharField(blank=True, default='', max_length=200)),
                ('on_behalf_of', models.CharField(blank=True, default='', max_length=200)),
                ('created_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('outage', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='outages.outage')),
            ],
            options={
                'permissions': [('send_notice', 'Can send notices to customers')],
            },
        ),
        migrations.CreateModel(
            name='NoticeRecipient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200, unique=True)),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('leased', 'Leased'), ('done', 'Done'), ('quarantined', 'Quarantined')], default='pending', max_length=12)),
                ('run_at', models.DateTimeField()),
                ('lease_owner', models.CharField(blank=True, default='', max_length=80)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('fence', models.BigIntegerField(default=0)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('last_error', models.TextField(blank=True, default='')),
                ('customer_code', models.CharField(max_length=200)),
                ('name', models.CharField(blank=True, default='', max_length=200)),
                ('address', models.CharField(blank=True, default='', max_length=254)),
                ('time_zone', models.CharField(default='UTC', max_length=64)),
                ('delivery', models.CharField(choices=[('pending', 'Pending'), ('sent', 'Sent'), ('delivered', 'Delivered'), ('failed', 'Failed'), ('suppressed', 'Not sent')], default='pending', max_length=10)),
                ('reason', models.CharField(blank=True, default='', max_length=300)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('delivered_at', models.DateTimeField(blank=True, null=True)),
                ('notice', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='recipients', to='notifications.notice')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='NoticeAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('transport', models.CharField(max_length=40)),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('result', models.CharField(blank=True, default='', max_length=10)),
                ('provider_id', models.CharField(blank=True, default='', max_length=200)),
                ('error', models.TextField(blank=True, default='')),
                ('recipient', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tries', to='notifications.noticerecipient')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='SentMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200, unique=True)),
                ('channel', models.CharField(choices=[('sms', 'SMS'), ('email', 'E-mail'), ('push', 'Push message'), ('phone', 'Phone call')], max_length=5)),
                ('address', models.CharField(max_length=254)),
                ('text', models.TextField()),
                ('at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['-at', '-id'], name='sent_newest')],
            },
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(fields=['-created_at', '-id'], name='notice_newest'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(fields=['outage', '-created_at'], name='notice_outage'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(condition=models.Q(('finished_at', None)), fields=['created_at'], name='notice_unfinished'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(('channel__in', ['sms', 'email', 'push', 'phone'])), name='notice_channel_known'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(('message', ''), _negated=True), name='notice_says_something'),
        ),
        migrations.AddIndex(
            model_name='noticerecipient',
            index=models.Index(condition=models.Q(('state__in', ['pending', 'leased'])), fields=['run_at'], name='recipient_due'),
        ),
        migrations.AddIndex(
            model_name='noticerecipient',
            index=models.Index(fields=['notice', 'delivery'], name='recipient_notice'),
        ),
        migrations.AddConstraint(
            model_name='noticerecipient',
            constraint=models.UniqueConstraint(condition=models.Q(('address', ''), _negated=True), fields=('notice', 'address'), name='recipient_address_once'),
        ),
        migrations.AddConstraint(
            model_name='noticerecipient',
            constraint=models.CheckConstraint(condition=models.Q(('delivery__in', ['pending', 'sent', 'delivered', 'failed', 'suppressed'])), name='recipient_delivery_known'),
        ),
        migrations.AddConstraint(
            model_name='noticerecipient',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('delivery__in', ['sent', 'delivered']), _negated=True), ('sent_at__isnull', False), _connector='OR'), name='recipient_sent_has_time'),
        ),
        migrations.AddConstraint(
            model_name='noticerecipient',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('delivered_at__isnull', False), ('delivery', 'delivered')), models.Q(models.Q(('delivery', 'delivered'), _negated=True), ('delivered_at', None)), _connector='OR'), name='recipient_delivered_has_time'),
        ),
        migrations.AddConstraint(
            model_name='noticerecipient',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('delivery', 'pending'), ('state__in', ['pending', 'leased'])), models.Q(models.Q(('delivery', 'pending'), _negated=True), ('state__in', ['done', 'quarantined'])), _connector='OR'), name='recipient_pending_is_waiting'),
        ),
        migrations.AddConstraint(
            model_name='noticeattempt',
            constraint=models.UniqueConstraint(fields=('recipient', 'number'), name='attempt_once'),
        ),
    ]
