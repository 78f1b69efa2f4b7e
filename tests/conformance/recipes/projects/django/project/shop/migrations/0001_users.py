import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("email", models.CharField(max_length=200, null=True)),
            ],
            options={"db_table": "users"},
        ),
        migrations.CreateModel(
            name="Post",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("title", models.CharField(max_length=200, null=True)),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="shop.user")),
            ],
            options={"db_table": "posts"},
        ),
    ]
