import django.contrib.postgres.fields
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('outages', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Crew',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(max_length=60, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('name_key', models.CharField(editable=False, max_length=600, unique=True)),
                ('crew_type', models.CharField(choices=[('line_crew', 'Line crew'), ('tree_crew', 'Tree crew'), ('inspection_crew', 'Inspection crew'), ('emergency_crew', 'Emergency crew')], max_length=16)),
                ('leader', models.CharField(blank=True, default='', max_length=200)),
                ('members', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), blank=True, default=list, size=None)),
                ('skills', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), blank=True, default=list, size=None)),
                ('latitude', models.FloatField(blank=True, null=True)),
                ('longitude', models.FloatField(blank=True, null=True)),
                ('position_at', models.DateTimeField(blank=True, null=True)),
                ('shift', models.CharField(blank=True, default='', max_length=60)),
                ('on_shift', models.BooleanField(default=True)),
                ('is_ad_hoc', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField()),
                ('users', models.ManyToManyField(blank=True, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['name_key'],
                'permissions': [('manage_crew', 'Can change crews')],
            },
        ),
        migrations.CreateModel(
            name='Assignment',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('crew_type', models.CharField(choices=[('line_crew', 'Line crew'), ('tree_crew', 'Tree crew'), ('inspection_crew', 'Inspection crew'), ('emergency_crew', 'Emergency crew')], max_length=16)),
                ('status', models.CharField(choices=[('assigned', 'Assigned'), ('en_route', 'En route'), ('on_site', 'On site'), ('work_completed', 'Work completed'), ('cancelled', 'Cancelled')], default='assigned', max_length=14)),
                ('assigned_at', models.DateTimeField()),
                ('en_route_at', models.DateTimeField(blank=True, null=True)),
                ('on_site_at', models.DateTimeField(blank=True, null=True)),
                ('completed_at', models.DateTimeField(blank=True, null=True)),
                ('cancelled_at', models.DateTimeField(blank=True, null=True)),
                ('updated_at', models.DateTimeField()),
                ('estimated_arrival_at', models.DateTimeField(blank=True, null=True)),
                ('notes', models.TextField(blank=True, default='')),
                ('assigned_by', models.CharField(blank=True, default='', max_length=200)),
                ('on_behalf_of', models.CharField(blank=True, default='', max_length=200)),
                ('outage', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='outages.outage')),
                ('crew', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='crews.crew')),
            ],
            options={
                'permissions': [('assign_crew', 'Can send crews to outages'), ('work_assignment', 'Can report on the assignments of the own crew')],
            },
        ),
        migrations.CreateModel(
            name='AssignmentStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('before', models.CharField(blank=True, choices=[('assigned', 'Assigned'), ('en_route', 'En route'), ('on_site', 'On site'), ('work_completed', 'Work completed'), ('cancelled', 'Cancelled')], max_length=14)),
                ('after', models.CharField(choices=[('assigned', 'Assigned'), ('en_route', 'En route'), ('on_site', 'On site'), ('work_completed', 'Work completed'), ('cancelled', 'Cancelled')], max_length=14)),
                ('notes', models.TextField(blank=True, default='')),
                ('actor_label', models.CharField(blank=True, default='', max_length=200)),
                ('on_behalf_of', models.CharField(blank=True, default='', max_length=200)),
                ('assignment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='crews.assignment')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('assignment', 'after'), name='assignment_step_once')],
            },
        ),
        migrations.AddConstraint(
            model_name='crew',
            constraint=models.CheckConstraint(condition=models.Q(('crew_type__in', ['line_crew', 'tree_crew', 'inspection_crew', 'emergency_crew'])), name='crew_type_known'),
        ),
        migrations.AddConstraint(
            model_name='crew',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('latitude', None), ('longitude', None), ('position_at', None)), models.Q(('latitude__range', (-90, 90)), ('longitude__range', (-180, 180)), ('position_at__isnull', False)), _connector='OR'), name='crew_position_whole'),
        ),
        migrations.AddConstraint(
            model_name='crew',
            constraint=models.CheckConstraint(condition=models.Q(('name_key', ''), _negated=True), name='crew_named'),
        ),
        migrations.AddIndex(
            model_name='assignment',
            index=models.Index(fields=['outage', 'assigned_at'], name='assignment_outage'),
        ),
        migrations.AddIndex(
            model_name='assignment',
            index=models.Index(condition=models.Q(('status__in', ('assigned', 'en_route', 'on_site'))), fields=['crew'], name='assignment_open'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['assigned', 'en_route', 'on_site', 'work_completed', 'cancelled'])), name='assignment_status_known'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(('crew_type__in', ['line_crew', 'tree_crew', 'inspection_crew', 'emergency_crew'])), name='assignment_type_known'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'assigned'), _negated=True), models.Q(('en_route_at', None), ('on_site_at', None)), _connector='OR'), name='assignment_assigned_not_under_way'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'en_route'), _negated=True), models.Q(('en_route_at__isnull', False), ('on_site_at', None)), _connector='OR'), name='assignment_en_route_has_time'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'on_site'), _negated=True), ('on_site_at__isnull', False), _connector='OR'), name='assignment_on_site_has_time'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('completed_at__isnull', False), ('status', 'work_completed')), models.Q(models.Q(('status', 'work_completed'), _negated=True), ('completed_at', None)), _connector='OR'), name='assignment_completed_has_time'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cancelled_at__isnull', False), ('status', 'cancelled')), models.Q(models.Q(('status', 'cancelled'), _negated=True), ('cancelled_at', None)), _connector='OR'), name='assignment_cancelled_has_time'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(('on_site_at', None), ('en_route_at', None), ('on_site_at__gte', models.F('en_route_at')), _connector='OR'), name='assignment_arrives_after_start'),
        ),
    ]
